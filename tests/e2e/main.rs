//! Whole processes together: the real binary, real sockets, real signals.
//!
//! | module | what it shows |
//! |---|---|
//! | `life` | start, stop, quit, reload, and what they say |
//! | `routing` | requests reach the right upstream |
//! | `admin` | `POST /config` and `GET /status` |
//! | `bad_input` | what is wrong is said in one line, and nothing is lost |
//! | `load` | reloads under load lose and falsify nothing |
//! | `quickstart` | the demonstration shows what it promises and leaves nothing running |

mod admin;
mod bad_input;
mod life;
mod load;
mod quickstart;
mod routing;
