"""Work by the clock: the nightly snapshot, scheduled packs, upkeep, the syncs of sources."""
