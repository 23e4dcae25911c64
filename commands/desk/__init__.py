"""Commands of the desk: quarantine, corrections, meanings of words."""
