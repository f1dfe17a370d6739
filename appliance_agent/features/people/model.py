"""What the API takes and answers about people."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from appliance_agent.config.text import ExtensionNumber, Name

UserRole = Literal["admin", "supervisor", "agent", "technician"]
Language = Literal["zh", "en"]

Login = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9._@-]{1,63}$")]
"""Begins with a letter, so that no login can be taken for somebody's extension. Kept in lower case."""
Password = Annotated[str, StringConstraints(min_length=10, max_length=128)]
TypedPassword = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class User(BaseModel):
    id: str
    login: str
    name: str
    role: UserRole
    extension: str | None
    language: Language
    active: bool


class NewUser(BaseModel):
    login: Login
    name: Name
    role: UserRole
    extension: ExtensionNumber | None = None
    language: Language = "zh"
    active: bool = True
    password: Password


class UserChange(BaseModel):
    """The whole user; the password stays when it is left out."""

    login: Login
    name: Name
    role: UserRole
    extension: ExtensionNumber | None = None
    language: Language = "zh"
    active: bool = True
    password: Password | None = None


class Setup(BaseModel):
    token: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    login: Login
    password: Password
    name: Name
    language: Language = "zh"


class Credentials(BaseModel):
    login: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    """The user's login or their extension's number."""
    password: TypedPassword


class SessionUser(BaseModel):
    id: str
    login: str
    name: str
    role: UserRole
    language: Language


class Session(BaseModel):
    user: SessionUser
    extension: str | None
    extension_kind: Literal["phone", "browser"] | None
    """None without an extension, or when the running configuration has none of that number."""
    expires_at: str
    timezone: str
    """Of the site (IANA): pages show its days and hours, wherever they are opened."""


class SessionChange(BaseModel):
    """Only what is given changes. `extension: null` gives the extension back."""

    extension: ExtensionNumber | None = None
    language: Language | None = None


class SipAccount(BaseModel):
    username: str
    secret: str
    realm: str
    ws_path: str
    ice: list[str]


class AuditQuery(BaseModel):
    start: Annotated[str | None, Field(alias="from")] = None
    end: Annotated[str | None, Field(alias="to")] = None
    login: Annotated[str, StringConstraints(max_length=64)] = ""
    action: Annotated[str, StringConstraints(max_length=64)] = ""
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class AuditEntry(BaseModel):
    id: int
    at: str
    login: str
    address: str
    action: str
    detail: dict[str, object]


class AuditPage(BaseModel):
    items: list[AuditEntry]
    total: int
