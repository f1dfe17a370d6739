"""The real box: the kernel's own interfaces."""
