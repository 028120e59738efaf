//! The poster: made of the owner's choice, else of a frame with detail, and published in two sizes. Leaves the picture itself
//! to `automatic`, `frame` and `picture`.

mod automatic;
mod frame;
mod picture;

use std::{ffi::OsString, time::Duration};

use store::{PosterChoice, PosterKind};
use tokio::{io::AsyncReadExt, sync::Mutex};

use crate::{
    Error, Result,
    child::{Feed, Task},
    encode::{EncodeContext, strings},
    ffmpeg::Bounds,
    plan::Rung,
    process,
    publish::Publisher,
    trouble::Trouble,
};

const WHOLE: &str = "poster.jpg";
const SMALL: &str = "poster-640.jpg";
const MAX_SIDE: u32 = 1280;
// A card of the library, on a screen with two pixels a point.
const SMALL_WIDTH: u32 = 640;
const MAX_BYTES: u64 = 8 << 20;
const DOING: &str = "taking the poster";

/// Makes what the owner has chosen; without a choice, the automatic poster of a video that has none.
pub(crate) async fn make(context: &EncodeContext<'_>) -> Result<()> {
    let (store, video) = (&context.publisher.store, &context.publisher.video);
    match store.posters.choice(video).await? {
        Some(choice) if choice.problem.is_none() => chosen(context, &choice).await,
        // A video that is tried again keeps the poster that it has: it may be the owner's.
        _ if context.publisher.has(WHOLE).await? => Ok(()),
        _ => match automatic(context).await? {
            Some(pictures) => pictures.publish(context.publisher).await,
            None => Ok(()),
        },
    }
}

/// Makes a choice, or records why it cannot be made.
async fn chosen(context: &EncodeContext<'_>, choice: &PosterChoice) -> Result<()> {
    let (posters, video) = (&context.publisher.store.posters, &context.publisher.video);
    let pictures = match choice.kind {
        PosterKind::Automatic => automatic(context).await,
        PosterKind::Frame { seconds } => match &context.plan.video {
            Some(plan) => frame::take(context, plan, seconds).await.map(Some),
            None => Err(damaged()),
        },
        PosterKind::Picture => match posters.picture(video, choice).await? {
            Some(bytes) => picture::convert(context, &bytes).await.map(Some),
            // Another choice has come meanwhile, and this job with it once more.
            None => return Ok(()),
        },
    };
    match pictures {
        Ok(Some(pictures)) => pictures.publish(context.publisher).await?,
        Ok(None) => context.publisher.withdraw(&[SMALL, WHOLE]).await?,
        Err(error @ Error::Ffmpeg { .. }) => {
            tracing::warn!(%error, kind = choice.kind.as_str(), "the chosen poster cannot be made");
            let problem = if choice.kind == PosterKind::Picture { "unreadable_image" } else { "no_frame" };
            return Ok(posters.refuse(video, choice, problem).await?);
        }
        Err(error) => return Err(error),
    }
    // The choice is settled once its pictures stand: after a kill in between they are made again.
    Ok(posters.made(video, choice).await?)
}

/// Takes the automatic poster; `None` for a video without a picture.
async fn automatic(context: &EncodeContext<'_>) -> Result<Option<Pictures>> {
    match &context.plan.video {
        Some(video) => automatic::take(context, video).await.map(Some),
        None => Ok(None),
    }
}

/// A size in pixels; even, as JPEG's chroma has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Size {
    width: u32,
    height: u32,
}

/// The sizes of a poster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sizes {
    whole: Size,
    /// None where the whole one is no wider than a card.
    small: Option<Size>,
}

impl Sizes {
    fn of(top: &Rung) -> Self {
        let whole =
            scaled(top, f64::from(MAX_SIDE) / f64::from(top.width.max(top.height)).max(MAX_SIDE.into()));
        let small = (whole.width > SMALL_WIDTH).then(|| Size {
            width: SMALL_WIDTH,
            ..scaled(top, f64::from(SMALL_WIDTH) / f64::from(top.width))
        });
        Self { whole, small }
    }
}

fn scaled(top: &Rung, by: f64) -> Size {
    let even = |side: u32| ((f64::from(side) * by / 2.0).round() as u32 * 2).max(2);
    Size { width: even(top.width), height: even(top.height) }
}

/// A poster in its sizes, as JPEG.
struct Pictures {
    whole: Vec<u8>,
    small: Option<Vec<u8>>,
}

impl Pictures {
    /// Takes the whole one and, if there is one, the small one.
    fn of(drawn: Vec<Vec<u8>>) -> Result<Self> {
        let mut drawn = drawn.into_iter();
        let (whole, small) = (drawn.next().unwrap_or_default(), drawn.next());
        if whole.is_empty() || small.as_ref().is_some_and(Vec::is_empty) {
            return Err(damaged());
        }
        Ok(Self { whole, small })
    }

    async fn publish(&self, publisher: &Publisher) -> Result<()> {
        // The small one first: where a document names a poster, a page asks for either.
        if let Some(small) = &self.small {
            publisher.blob(SMALL, small).await?;
        }
        publisher.blob(WHOLE, &self.whole).await?;
        match &self.small {
            Some(_) => Ok(()),
            // That of the poster before.
            None => publisher.withdraw(&[SMALL]).await,
        }
    }
}

/// One call of ffmpeg whose outputs are pictures.
struct Drawn {
    input: Vec<OsString>,
    stdin: Option<Feed>,
    outputs: Vec<Vec<OsString>>,
}

/// Draws pictures in one process; empty where there is none.
async fn draw(context: &EncodeContext<'_>, drawn: Drawn) -> Result<Vec<Vec<u8>>> {
    let Drawn { input, stdin, outputs } = drawn;
    let pictures: Mutex<Vec<Vec<u8>>> = Mutex::new(vec![Vec::new(); outputs.len()]);
    let task = Task {
        program: &context.config.ffmpeg,
        doing: DOING.into(),
        input,
        stdin,
        // Nobody counts the frames of a poster, but a full pipe would stop the filters that print them.
        printed: Some(Box::new(|_| {})),
        outputs,
        bounds: Bounds { memory_bytes: 8 << 30, open_files: 256, ..Bounds::default() },
        wall_time: Duration::from_mins(5),
    };
    process::run(task, context.control, |n, output| {
        let pictures = &pictures;
        async move {
            let mut bytes = Vec::new();
            output.stream.take(MAX_BYTES).read_to_end(&mut bytes).await?;
            pictures.lock().await[n] = bytes;
            Ok(())
        }
    })
    .await?;
    Ok(pictures.into_inner())
}

// JPEG's YUV is of full range, and ffmpeg's encoder refuses any other as not of the standard.
fn jpeg() -> Vec<OsString> {
    strings(["-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p", "-f", "mjpeg"])
}

fn damaged() -> Error {
    Error::Ffmpeg { doing: DOING.into(), at: None, trouble: Trouble::Damaged }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poster_fits_its_bounds_and_has_a_small_one_where_it_is_wider_than_a_card() {
        let check = |width, height, whole, small: Option<(u32, u32)>| {
            let rung = Rung {
                name: String::new(),
                width,
                height,
                level_idc: 30,
                crf: 20.0,
                maxrate_bps: 1,
                bufsize_bits: 1,
            };
            let size = |(width, height)| Size { width, height };
            assert_eq!(Sizes::of(&rung), Sizes { whole: size(whole), small: small.map(size) });
        };
        check(3840, 2160, (1280, 720), Some((640, 360)));
        check(1080, 1920, (720, 1280), Some((640, 1138)));
        check(640, 360, (640, 360), None);
        check(320, 180, (320, 180), None);
    }
}
