"""The operator's commands that hang on the Flask app."""
