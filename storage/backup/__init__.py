"""Backups that prove themselves: made with pg_dump by a role that no policy binds, restored with the roles,
policies and owners that they had, and compared with what was noted when they were made."""
