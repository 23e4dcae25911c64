"""Documents that tell an operator what to type, typed."""
