"""The pack's fonts: static subsets of Noto Sans (OFL 1.1, see OFL.txt)."""
