"""What headquarters knows, in PostgreSQL, or in SQLite for a try. One set of statements for both."""
