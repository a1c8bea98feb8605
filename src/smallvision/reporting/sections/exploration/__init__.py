"""The sections of the page of `smallvision explore` that a report has not."""
