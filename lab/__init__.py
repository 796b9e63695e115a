"""The fault laboratory: breaks a running chat in every way that can be thought of, and checks that it kept its promises."""
