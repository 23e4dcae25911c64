"""Work done on the nodes of a cluster, each workspace's beside its rows."""
