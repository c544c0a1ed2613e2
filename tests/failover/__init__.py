"""Cases that break a running lab and measure its recovery."""
