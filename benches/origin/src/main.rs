//! The cost that an origin adds to a read from GridFS: the same objects, by HTTP from `clipcut origin` and by the bare
//! driver, in turns, on the same server. Prints a table in Markdown.
//!
//! Usage: `origin-reads PROGRAM`, where PROGRAM is `clipcut`.
#![expect(clippy::unwrap_used, reason = "a bench that cannot be set up is to fail")]
#![expect(clippy::print_stdout, reason = "it prints its table")]

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures::TryStreamExt;
use mongodb::{
    Client, Database,
    bson::{Document, doc},
};
use testbed::{Mongodb, Postgres, Redis};
use tokio::task::JoinSet;

const AT_ONCE: usize = 4;
const ROUNDS: usize = 7;
const SPAN: Duration = Duration::from_secs(3);
const RANGE_BYTES: u64 = 64 * 1024;

/// A stored segment.
#[derive(Clone, Debug)]
struct Object {
    name: String,
    bytes: u64,
}

/// The part of each object that is read.
#[derive(Clone, Copy, Debug)]
enum Part {
    Whole,
    Range,
}

/// A client of either side.
#[derive(Clone, Debug)]
enum Reader {
    Origin { client: reqwest::Client, base: String },
    Driver(Database),
}

/// The times to the first byte of the reads that ended.
type Took = Vec<Duration>;

#[tokio::main]
async fn main() {
    let program = std::env::args().nth(1).expect("usage: origin-reads PROGRAM");
    // The client wants one, though it speaks no TLS here.
    rustls::crypto::ring::default_provider().install_default().unwrap();
    let (postgres, mongodb, redis) = (Postgres::start(), Mongodb::start(), Redis::start());
    let database = mongodb.database();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command
            .args(arguments)
            .env("CLIPCUT_MONGODB", &database)
            .env("CLIPCUT_REDIS", redis.url())
            .env("CLIPCUT_LOG", "warn")
            .stdout(Stdio::null());
        command
    };
    let url = postgres.database();
    let on_cluster = |arguments: &[&str]| {
        let mut command = run(arguments);
        command.env("CLIPCUT_POSTGRES", &url);
        command
    };
    assert!(on_cluster(&["migrate"]).status().unwrap().success());
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let base = format!("http://{address}");
    let origin = Ended(on_cluster(&["origin", "--listen", &address]).spawn().unwrap());
    wait_for(&format!("{base}/readyz")).await;
    let packager = Ended(on_cluster(&["packager", "--listen", "127.0.0.1:0"]).spawn().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("clip.mp4");
    let drawn = Command::new("ffmpeg")
        .args(
            "-v error -f lavfi -i testsrc2=s=1280x720:r=25:d=60 -f lavfi -i sine=d=60 -preset ultrafast"
                .split(' '),
        )
        .arg(&clip)
        .status();
    assert!(drawn.unwrap().success());
    assert!(run(&["upload", clip.to_str().unwrap(), "--server", &base]).status().unwrap().success());
    drop(packager);

    let driver = Client::with_uri_str(&database).await.unwrap().default_database().unwrap();
    let objects = objects(&driver).await;
    let bytes: u64 = objects.iter().map(|object| object.bytes).sum();
    println!(
        "{} segments, {} kB on average, {AT_ONCE} at once, {ROUNDS} rounds of {} s in turns, medians; {}",
        objects.len(),
        bytes / objects.len() as u64 / 1000,
        SPAN.as_secs(),
        server(&driver).await,
    );
    println!("\n| read | by | reads a second | first byte, ms |\n| --- | --- | --- | --- |");
    let readers = [Reader::Origin { client: reqwest::Client::new(), base }, Reader::Driver(driver)];
    for part in [Part::Whole, Part::Range] {
        compare(part, &readers, &Arc::from(objects.clone())).await;
    }
    drop(origin);
}

/// A process that ends with its handle.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn wait_for(url: &str) {
    for _ in 0..600 {
        if reqwest::get(url).await.is_ok_and(|answer| answer.status().is_success()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{url} does not answer");
}

async fn objects(database: &Database) -> Vec<Object> {
    let files = database.collection::<Document>("media.files");
    let found =
        files.find(doc! { "filename": { "$regex": r"\.m4s$" }, "length": { "$gt": RANGE_BYTES as i64 * 2 } });
    let found: Vec<Document> = found.await.unwrap().try_collect().await.unwrap();
    let object = |file: &Document| Object {
        name: file.get_str("filename").unwrap().to_owned(),
        bytes: file.get_i64("length").unwrap() as u64,
    };
    found.iter().map(object).collect()
}

async fn server(database: &Database) -> String {
    let build = database.run_command(doc! { "buildInfo": 1 }).await.unwrap();
    match build.get_str("ferretdbVersion") {
        // A FerretDB built from its modules has no version.
        Ok("unknown") => "FerretDB over PostgreSQL".to_owned(),
        Ok(version) => format!("FerretDB {version} over PostgreSQL"),
        Err(_) => format!("MongoDB {}", build.get_str("version").unwrap_or("of no version")),
    }
}

async fn compare(part: Part, readers: &[Reader; 2], objects: &Arc<[Object]>) {
    let mut rates = [(); 2].map(|()| Vec::new());
    let mut firsts = [(); 2].map(|()| Vec::new());
    for round in 0..=ROUNDS {
        for (side, reader) in readers.iter().enumerate() {
            let (rate, first) = measure(part, reader, objects).await;
            // The first round warms up.
            if round > 0 {
                rates[side].push(rate);
                firsts[side].push(first.as_secs_f64() * 1000.0);
            }
        }
    }
    let ratio = |values: &[Vec<f64>; 2]| median(&values[0]) / median(&values[1]);
    for (side, name) in ["origin", "driver"].into_iter().enumerate() {
        println!("| {part:?} | {name} | {:.1} | {:.1} |", median(&rates[side]), median(&firsts[side]));
    }
    println!("| {part:?} | origin / driver | {:.2} | {:.2} |", ratio(&rates), ratio(&firsts));
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Reads for a span of time. Returns reads a second, and the median time to the first byte.
async fn measure(part: Part, reader: &Reader, objects: &Arc<[Object]>) -> (f64, Duration) {
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let mut reading = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (reader, objects, next) = (reader.clone(), objects.clone(), next.clone());
        reading.spawn(async move {
            let mut took = Took::new();
            while began.elapsed() < SPAN {
                let object = &objects[next.fetch_add(1, Ordering::Relaxed) % objects.len()];
                took.push(reader.read(object, part).await);
            }
            took
        });
    }
    let mut took: Took = reading.join_all().await.concat();
    let seconds = began.elapsed().as_secs_f64();
    took.sort();
    (took.len() as f64 / seconds, took[took.len() / 2])
}

impl Reader {
    /// Reads a part of an object to its end. Returns how long its first byte took.
    async fn read(&self, object: &Object, part: Part) -> Duration {
        let (from, to) = match part {
            Part::Whole => (0, object.bytes),
            Part::Range => (object.bytes / 4, object.bytes / 4 + RANGE_BYTES),
        };
        let asked = Instant::now();
        let (first, read) = match self {
            Self::Origin { client, base } => {
                let path = object.name.strip_prefix("videos/").unwrap();
                let mut request = client.get(format!("{base}/v/{path}"));
                if let Part::Range = part {
                    request = request.header("range", format!("bytes={from}-{}", to - 1));
                }
                let mut answer = request.send().await.unwrap().error_for_status().unwrap();
                let mut read = answer.chunk().await.unwrap().unwrap().len();
                let first = asked.elapsed();
                while let Some(bytes) = answer.chunk().await.unwrap() {
                    read += bytes.len();
                }
                (first, read)
            }
            // As its users do: the newest document of the name, then the chunk, of which the part is cut out.
            Self::Driver(database) => {
                let files = database.collection::<Document>("media.files");
                let newest =
                    files.find_one(doc! { "filename": &object.name }).sort(doc! { "metadata.revision": -1 });
                let file = newest.await.unwrap().unwrap();
                let chunks = database.collection::<Document>("media.chunks");
                let chunk =
                    chunks.find_one(doc! { "files_id": &file["_id"], "n": 0 }).await.unwrap().unwrap();
                let data = chunk.get_binary_generic("data").unwrap();
                (asked.elapsed(), data[from as usize..to as usize].len())
            }
        };
        assert_eq!(read as u64, to - from, "{object:?}");
        first
    }
}
