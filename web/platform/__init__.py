"""Pages for platform admins about the installation as a whole."""
