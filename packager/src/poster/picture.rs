//! The owner's picture: decoded and encoded again within the limits of every upload, so that none is served as it was sent.

use std::ffi::OsString;

use tokio::{io::AsyncWriteExt, net::UnixStream, sync::watch};

use super::{Drawn, MAX_SIDE, Pictures, SMALL_WIDTH, damaged, draw, jpeg};
use crate::{
    Result,
    child::{Feed, Progress},
    encode::{EncodeContext, strings},
    ffmpeg::{Still, still_args},
};

/// Converts a JPEG, PNG or WebP picture.
pub(super) async fn convert(context: &EncodeContext<'_>, bytes: &[u8]) -> Result<Pictures> {
    let mut input = still_args(Still::of(bytes).ok_or_else(damaged)?);
    input.extend(strings(["-filter_complex", &filters()]));
    let output = |label: &str| -> Vec<OsString> {
        let mut output = strings(["-map", label, "-frames:v", "1"]);
        output.extend(jpeg());
        output
    };
    let outputs = vec![output("[whole]"), output("[small]")];
    let (mut ours, theirs) = UnixStream::pair()?;
    let (_whole, progress) = watch::channel(Progress::Well);
    let stdin = Some(Feed { stream: theirs, progress });
    let drawn = draw(context, Drawn { input, stdin, outputs });
    let fed = async move {
        // Fails when the decoder has ended, whose exit has the cause.
        let _ = ours.write_all(bytes).await;
    };
    Pictures::of(tokio::join!(drawn, fed).0?)
}

/// Returns the filters to both sizes: never enlarged, and on white where the picture is transparent.
fn filters() -> String {
    // `drawbox` with `replace` would be shorter, and crashes in ffmpeg 5.1.
    format!(
        "[0:v:0]scale=w='min({MAX_SIDE},iw)':h='min({MAX_SIDE},ih)':force_original_aspect_ratio=decrease\
         :force_divisible_by=2:flags=bicubic,setsar=1,format=rgba,split[front][copy];\
         [copy]lutrgb=r=255:g=255:b=255:a=255[white];[white][front]overlay=format=rgb,split[whole][other];\
         [other]scale=w='min({SMALL_WIDTH},iw)':h=-2:flags=bicubic[small]"
    )
}
