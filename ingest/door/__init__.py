"""The door: deliveries are kept, then read; what could not be read lies in quarantine."""
