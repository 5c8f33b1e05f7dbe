//! One fault at one call of one scenario.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::world::World;
use super::{Bench, Kind, Scenario, Site};
use crate::account::{Account, SetFault};
use crate::driver::Controls;
use crate::failure::ensure;
use crate::fault::{Action, Fault};
use crate::{Explain, Failure, Result};

/// How long a fault may take to fire, and a provider to answer StopProvider while a call of it hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a disturbed command may take. Without a disturbance it takes seconds.
const LONGEST: Duration = Duration::from_secs(180);

/// What is run.
#[derive(Debug, Clone)]
pub struct Case {
    pub scenario: Scenario,
    pub kind: Kind,
    pub site: Site,
}

/// A case that failed, with everything that helps to understand it.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) reason: String,
    pub(super) log: String,
}

impl Case {
    /// How to run it alone.
    pub fn command(&self) -> String {
        let (scenario, kind, call) = (self.scenario.name(), self.kind.name(), self.site.name());
        format!("cargo faults --scenario {scenario} --fault {kind} --call '{call}'")
    }

    pub(super) async fn run(&self, bench: &Bench<'_>) -> std::result::Result<(), Broken> {
        let broken = |failure: Failure, log: String| Broken { reason: failure.to_string(), log };
        let mut world = World::new(bench, self.scenario).map_err(|failure| broken(failure, String::new()))?;
        let result = self.story(&mut world).await;
        let result = result.map_err(|failure| {
            let journal = world.account.journal().map(|journal| journal.text()).unwrap_or_default();
            broken(failure, format!("{}\n== journal\n{journal}\n", world.log))
        });
        // What is wrong with the case is worth more than what is wrong with tidying up.
        let _ = world.account.clear_faults();
        let _ = world.account.reset();
        result
    }

    async fn story(&self, world: &mut World) -> Result<()> {
        world.prepare().await?;
        world.account.mark()?;
        let (action, again) = self.kind.at_the_call();
        let mut fault = Fault::new(action).at(&self.site.action).occurrence(self.site.occurrence);
        if again {
            fault = fault.until_cleared();
        }
        let fault = world.account.inject(&fault)?;
        let finished = CancellationToken::new();
        let interference =
            self.interfere(fault.clone(), world.account.clone(), world.terraform.controls(), &finished);
        let command = async {
            let outcome = tokio::time::timeout(LONGEST, world.command()).await;
            finished.cancel();
            outcome.explain("the command does not end")?
        };
        let (outcome, interfered) = futures::future::join(command, interference).await;
        let fired = fault.fired()?;
        world.account.clear_faults()?;
        outcome?;
        interfered?;
        ensure(fired > 0, || format!("the fault did not fire: no call {}", self.site.name()))?;
        world.recover().await
    }

    /// Does what has to be done while the call is in flight.
    async fn interfere(
        &self,
        fault: SetFault,
        account: Account,
        controls: Controls,
        finished: &CancellationToken,
    ) -> Result<()> {
        if self.kind.at_the_call().0 != Action::Hold || !caught(&fault, finished).await? {
            return Ok(());
        }
        match self.kind {
            Kind::Kill => controls.kill()?,
            Kind::Stop => {
                controls.stop().await?;
                // The answer must come while the call still hangs.
                let answered = tokio::time::timeout(PATIENCE, finished.cancelled()).await;
                fault.release()?;
                return answered.explain("the provider did not answer after StopProvider while a call hung");
            }
            Kind::InternalErrorToTheEnd => {
                account.inject(&Fault::new(Action::InternalError).until_cleared())?;
            }
            _ => {
                account.inject(&Fault::new(Action::ExpiredToken).until_cleared())?;
            }
        }
        fault.release()
    }
}

/// Waits until the call is held; `false` when the command ended without it.
async fn caught(fault: &SetFault, finished: &CancellationToken) -> Result<bool> {
    loop {
        let (fault, was_finished) = (fault.clone(), finished.is_cancelled());
        let look = move || fault.fired_within(Duration::from_millis(if was_finished { 0 } else { 500 }));
        if tokio::task::spawn_blocking(look).await.explain("waiting for a fault")?? {
            return Ok(true);
        }
        if was_finished {
            return Ok(false);
        }
    }
}
