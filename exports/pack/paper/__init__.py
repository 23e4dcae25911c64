"""Paper for the pack: canvas, ink, type, measures of the sheet, metadata of the file."""
