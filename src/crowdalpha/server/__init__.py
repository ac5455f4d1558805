"""A tournament on the web: two APIs and pages, thin faces over one service layer. Needs `crowdalpha[server]`."""
