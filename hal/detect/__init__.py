"""From what sysfs says to an inventory. Pure; reading is done by hal.linux, writing nowhere."""
