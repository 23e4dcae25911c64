#!/bin/sh
# The operator's command, from any folder: .venv/bin/vigilo COMMAND. `make` puts it there, with its place.
VIGILO_DATA_DIR="${VIGILO_DATA_DIR:-@ROOT@/var}"
export VIGILO_DATA_DIR
exec "@ROOT@/.venv/bin/python" "@ROOT@/vigilo.py" "$@"
