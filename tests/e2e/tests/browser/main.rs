//! The sandbox's page in Chromium, with the whole product behind it. The tests use
//! it as people do: by mouse and by keyboard, on a desktop and on a phone.

mod accessible;
mod faults;
mod hostile;
mod keyboard;
mod private;
mod quick_start;
mod scene;
mod storm;
