"""What the shop's figures say, put together for the page of reports: pure, but for `figures`."""
