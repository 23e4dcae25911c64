"""The process that serves: its application, its start, its address."""
