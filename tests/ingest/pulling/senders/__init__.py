"""Fakes of senders: stateful, paged, with faults on demand, and held to the senders' own descriptions."""
