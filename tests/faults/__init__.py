"""Faults, each with the real thing broken: servers stopped, processes killed, disks filled."""
