"""The web edge: the gate before every request, sign-in, members, problems, headers, metrics, serving."""
