"""The telephone: Asterisk by FastAGI and AMI."""
