//! The sandbox's page in Chromium, with the whole product behind it, used as
//! people use it: by mouse and by keyboard, on a desktop and on a phone.

mod accessible;
mod hostile;
mod keyboard;
mod private;
mod quick_start;
mod scene;
