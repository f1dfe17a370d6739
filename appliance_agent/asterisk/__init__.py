"""AMI and ARI clients: time-outs, reconnect; foreign data is converted at the door."""
