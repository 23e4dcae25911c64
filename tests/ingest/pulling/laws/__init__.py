"""Laws of every source: clocks, what is pulled and pushed, what vanishes, what senders describe."""
