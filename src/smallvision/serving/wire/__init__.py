"""HTTP as strangers speak it: what is refused, and in which words."""
