//! Who decides what happens next, by a seed.
use crate::{
    house::{Door, Heard, House, NAMESPACE, START, of},
    turns::{Server, Verdict},
};
use domain::{Clock as _, RunId, Timestamp};
use rand::{Rng, SeedableRng, rngs::StdRng};
use scheduler::Scheduler;
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinHandle;

const SERVERS: usize = 3;
/// How long everything goes wrong, and for how long nothing does after that.
const TROUBLE: Duration = Duration::from_secs(150);
const QUIET: Duration = Duration::from_secs(60);
/// The longest that a server is stopped, or down, or the database away.
const OUT: u64 = 25_000;
/// No seed needs as many steps.
const MOST: u32 = 60_000;

struct Place {
    server: Server,
    task: Option<JoinHandle<()>>,
    skew: Arc<AtomicI64>,
    started: Timestamp,
    /// Stopped, or down, until then.
    out_until: Timestamp,
}

pub(crate) struct Director {
    house: House,
    random: StdRng,
    servers: Vec<Place>,
    away_until: Timestamp,
    running: Vec<(Timestamp, RunId)>,
    tells: bool,
}

impl Director {
    pub(crate) fn new(house: House, seed: u64, tells: bool) -> Self {
        let place = |number| Place {
            server: Server { number, life: 0 },
            task: None,
            skew: Arc::default(),
            started: START,
            out_until: START,
        };
        let servers = (0..SERVERS).map(place).collect();
        let random = StdRng::seed_from_u64(seed);
        Self { house, random, servers, away_until: START, running: Vec::new(), tells }
    }

    pub(crate) fn house(&self) -> &House {
        &self.house
    }

    /// Plays until everything has been quiet for a while.
    pub(crate) async fn play(&mut self) {
        let (trouble, end) = (START.after(TROUBLE), START.after(TROUBLE + QUIET));
        let mut steps = 0;
        while self.now() < end {
            steps += 1;
            assert!(steps < MOST, "it does not come to an end");
            if self.now() < trouble {
                self.trouble().await;
            } else {
                self.calm();
            }
            self.step().await;
        }
        for place in &mut self.servers {
            if let Some(task) = place.task.take() {
                task.abort();
            }
        }
    }

    fn now(&self) -> Timestamp {
        self.house.time.now()
    }

    fn tell(&self, what: impl FnOnce() -> String) {
        if self.tells {
            println!("{:8.3} {}", self.now().since(START).as_secs_f64(), what());
        }
    }

    /// One thing happens, or time passes.
    async fn step(&mut self) {
        self.start_what_is_down();
        self.end_runs().await;
        // A task that was let through goes on to the next thing that it asks.
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
        self.house.turns.tidy();
        let now = self.now();
        let ready: Vec<usize> = {
            let turns = self.house.turns.lock();
            let is_ready = |(index, turn): (usize, &crate::turns::Turn)| {
                let place = &self.servers[turn.server.number];
                (place.out_until <= now && turn.until <= now.since(place.started)).then_some(index)
            };
            turns.iter().enumerate().filter_map(is_ready).collect()
        };
        if ready.is_empty() {
            self.pass(now);
            return;
        }
        let index = ready[self.random.random_range(0..ready.len())];
        let (server, what) = {
            let turn = &self.house.turns.lock()[index];
            (turn.server, turn.what)
        };
        // Between what was read and what is written of it another server can take over.
        let amid = ["schedule", "prepare", "fire", "settle"].contains(&what) && now < START.after(TROUBLE);
        if amid && self.random.random_bool(0.02) {
            let out = now.after(Duration::from_millis(self.random.random_range(OUT / 2..OUT)));
            self.servers[server.number].out_until = out;
            self.tell(|| format!("{} is stopped amid {what}", server.number));
            return;
        }
        let verdict = match what {
            "pause" => Verdict::Go,
            _ if self.away_until > now => {
                [Verdict::Refuse, Verdict::GoUnheard][usize::from(self.random.random_bool(0.2))]
            }
            _ => Verdict::Go,
        };
        self.house.turns.let_through(index, verdict).await;
        self.tell(|| format!("{server:?} {what} {verdict:?}"));
        let made: Vec<RunId> = std::mem::take(&mut *self.house.made.lock().unwrap());
        for id in made {
            let ends = self.now().after(Duration::from_millis(self.random.random_range(0..20_000)));
            self.running.push((ends, id));
        }
        self.house.time.advance(Duration::from_micros(self.random.random_range(1..3000)));
    }

    /// Time passes until something can happen.
    fn pass(&mut self, now: Timestamp) {
        let turns = self.house.turns.lock();
        let ready = turns.iter().map(|turn| {
            let place = &self.servers[turn.server.number];
            place.started.after(turn.until).max(place.out_until)
        });
        let back = self.servers.iter().map(|place| place.out_until);
        let ends = self.running.iter().map(|(ends, _)| *ends);
        let next = ready.chain(back).chain(ends).filter(|next| *next > now).min();
        let time = next.map_or(Duration::from_secs(1), |next| next.since(now));
        drop(turns);
        self.house.time.advance(time.max(Duration::from_micros(1)));
    }

    async fn trouble(&mut self) {
        let now = self.now();
        let out = now.after(Duration::from_millis(self.random.random_range(0..OUT)));
        let number = self.random.random_range(0..SERVERS);
        match self.random.random_range(0..500) {
            0..=3 => self.kill(number, out),
            4..=7 if self.servers[number].task.is_some() => {
                self.servers[number].out_until = out;
                self.tell(|| format!("{number} is stopped until {}", out.since(START).as_secs_f64()));
            }
            8..=10 => {
                let skew = self.random.random_range(-3_600_000_000i64..=3_600_000_000);
                let skew = if self.random.random() { skew / 60 } else { skew };
                self.servers[number].skew.store(skew, Ordering::SeqCst);
                self.tell(|| format!("{number} has its clock set, wrong by {} s", skew / 1_000_000));
            }
            11..=13 => self.servers[number].skew.store(0, Ordering::SeqCst),
            14..=15 => {
                self.away_until = out;
                self.tell(|| format!("the database is away until {}", out.since(START).as_secs_f64()));
            }
            16..=18 => self.switch().await,
            19 => {
                let stall = Duration::from_millis(self.random.random_range(0..3000));
                self.house.time.advance(stall);
            }
            _ => {}
        }
    }

    /// Everything is well from now on.
    fn calm(&mut self) {
        let now = self.now();
        self.away_until = now;
        for place in &mut self.servers {
            place.skew.store(0, Ordering::SeqCst);
            place.out_until = place.out_until.min(now);
        }
    }

    fn kill(&mut self, number: usize, until: Timestamp) {
        let place = &mut self.servers[number];
        if let Some(task) = place.task.take() {
            task.abort();
            place.out_until = until;
            self.house.turns.forget(number);
            self.tell(|| format!("{number} is killed, until {}", until.since(START).as_secs_f64()));
        }
    }

    /// Somebody enables or disables a recurring run.
    async fn switch(&mut self) {
        let it = &self.house.recurring_runs[self.random.random_range(0..self.house.recurring_runs.len())];
        let (store, id) = (&self.house.store, it.id.as_str());
        if self.random.random_bool(0.7) {
            store.enable_recurring_run(&of(NAMESPACE), id).await.unwrap();
        } else {
            store.disable_recurring_run(&of(NAMESPACE), id).await.unwrap();
        }
        self.tell(|| format!("{} is switched", it.name));
        self.change();
    }

    /// Who waits for a changed schedule waits no more.
    fn change(&self) {
        self.house.turns.lock().iter_mut().filter(|turn| turn.by_change).for_each(|turn| turn.until = Duration::ZERO);
    }

    fn start_what_is_down(&mut self) {
        let now = self.now();
        for place in self.servers.iter_mut().filter(|place| place.task.is_none() && place.out_until <= now) {
            place.server.life += 1;
            place.started = now;
            let door = Door {
                server: place.server,
                store: self.house.store.clone(),
                time: self.house.time.clone(),
                skew: place.skew.clone(),
                started: now,
                turns: self.house.turns.clone(),
                recurring_runs: self.house.recurring_runs.clone(),
                made: self.house.made.clone(),
            };
            let scheduler = Scheduler::one_of_several(Arc::new(door), Arc::new(Heard::default()));
            place.task = Some(tokio::spawn(scheduler.run(std::future::pending())));
        }
    }

    async fn end_runs(&mut self) {
        let now = self.now();
        if self.away_until > now {
            return;
        }
        let (over, running) = std::mem::take(&mut self.running).into_iter().partition(|(ends, _)| *ends <= now);
        self.running = running;
        let over: Vec<(Timestamp, RunId)> = over;
        if over.is_empty() {
            return;
        }
        for (_, id) in over {
            self.house.end_run(id).await;
        }
        self.change();
    }
}
