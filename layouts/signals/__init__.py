"""Pictures of a signal: the line of its row, and the chart beside it."""
