"""What a person sees: NiceGUI carries the page, its forms and buttons; the live parts are drawn by static/*.js."""
