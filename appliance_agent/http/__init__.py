"""The HTTP kit: route decorator (OpenAPI and role), errors, sessions, WebSocket hub. Features bring the routes."""
