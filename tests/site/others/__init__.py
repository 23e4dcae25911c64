"""The four workflows in Firefox and WebKit, driven through what each of them offers itself."""
