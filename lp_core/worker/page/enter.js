// Navigates from within, so that the browser sends the cookie that the login has just set.
location.replace("/" + location.hash);
