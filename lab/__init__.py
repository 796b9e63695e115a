"""The fault laboratory: breaks a running chat in every way that DELIVERY names, and checks that it kept its promises."""
