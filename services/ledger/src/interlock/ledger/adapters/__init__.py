"""Where the tables are kept: PostgreSQL, or memory."""
