"""What the prompts' routes take and give."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from appliance_agent.config.text import Name, PromptId, SpokenText


class SpeechOrder(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    text: SpokenText
    language: Literal["zh", "en"]
    name: Name


class UploadFields(BaseModel):
    """The form's fields beside the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    language: Literal["zh", "en"]


class PromptView(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: PromptId
    name: str
    language: Literal["zh", "en"]
    source: Literal["upload", "speech"]
    text: str | None
    seconds: float
