"""The desk's pages: a workspace's deliveries, quarantine, meanings of words, and single records."""
