"""The figures as a workbook: a summary to read, sheets to reckon with."""
