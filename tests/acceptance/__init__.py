"""Real inputs, others wrote them."""
