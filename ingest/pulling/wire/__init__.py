"""Between a source's client and its sender: answers, quotas, bounds of what is asked."""
