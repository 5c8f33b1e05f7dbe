//! A failed create never costs the cluster. What the commands do was first seen with a toy provider on four
//! CLIs; here each story is told with the real resource, on every CLI of this machine.

mod interrupts;
mod kills;
mod protection;
mod replacement;
mod story;
mod two_states;
mod warn;
