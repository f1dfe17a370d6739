"""People: users with roles, sessions, the first start, and the audit trail of who did what."""
