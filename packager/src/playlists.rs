//! Writes the playlists and the manifest of a video: from its plan, from what was measured once it is
//! encoded, and from the captions that there are to show.

use store::State;

use crate::{
    Error, Result, dash, hls,
    measure::{Measured, SegmentFacts, average_bps},
    plan::Plan,
    publish::Publisher,
    subtitles,
};

/// The multivariant playlist of the whole ladder, for players that know from elsewhere what they can live on.
const LADDER: &str = "ladder.m3u8";

/// Writes all playlists and the manifest; the multivariant playlist last, because it leads to the others.
pub(crate) async fn write(publisher: &Publisher, plan: &Plan, measured: Option<&[Measured]>) -> Result<()> {
    let (store, id) = (&publisher.store, &publisher.video);
    for rung in plan.video.iter().flat_map(|video| &video.rungs) {
        publisher.text(&format!("{}/media.m3u8", rung.name), &hls::media(plan, &rung.name)).await?;
        if let Some(of_rung) = measured.and_then(|all| all.iter().find(|m| m.name == rung.name)) {
            publisher
                .text(&format!("{}/iframes.m3u8", rung.name), &hls::iframes(plan, rung, of_rung))
                .await?;
        }
    }
    for audio in &plan.audio {
        publisher.text(&format!("{}/media.m3u8", audio.name), &hls::media(plan, &audio.name)).await?;
    }
    let tracks = store.captions.of(id).await?;
    let subtitles = subtitles::listed(&tracks);
    for subtitle in &subtitles {
        publisher.text(&format!("{}/media.m3u8", subtitle.name), &hls::text(plan)).await?;
    }
    let listed = listed(publisher, plan, measured).await?;
    if measured.is_none() {
        publisher.text(LADDER, &hls::master(plan, None, &subtitles)).await?;
    }
    publisher.text("manifest.mpd", &dash::manifest(&listed, measured, &subtitles)).await?;
    publisher.text("master.m3u8", &hls::master(&listed, measured, &subtitles)).await?;
    if measured.is_some() {
        // The multivariant playlist has the whole ladder now, and answers for it.
        store.blobs.delete_all(&format!("{}/{LADDER}", id.folder())).await?;
    }
    // Blobs that no playlist leads to any more go last, so that no player is sent to a deleted one.
    let folder = format!("{}/captions", id.folder());
    for name in store.blobs.children(&folder).await? {
        if !subtitles.iter().any(|subtitle| subtitle.name == format!("captions/{name}")) {
            store.blobs.delete_all(&format!("{folder}/{name}")).await?;
        }
    }
    Ok(())
}

/// Returns the plan as playlists list it: what is encoded, or players can live on while it is; a player that took another
/// rendition would wait for each of its segments. Their own playlists stand all the same.
async fn listed(publisher: &Publisher, plan: &Plan, measured: Option<&[Measured]>) -> Result<Plan> {
    if measured.is_some() {
        return Ok(plan.clone());
    }
    let rows = publisher.store.renditions.of(&publisher.video).await?;
    let listed = rows.iter().filter(|row| row.listed).map(|row| row.rendition.name.as_str());
    // Before the plan is recorded it is what players begin on.
    let listed: Vec<&str> = listed.chain(plan.start_up()).collect();
    Ok(plan.listing(|name| listed.contains(&name)))
}

/// Writes them again as far as the video is: a ready video's with its measured rates.
pub(crate) async fn rewrite(publisher: &Publisher, plan: &Plan) -> Result<()> {
    let id = &publisher.video;
    let video = publisher.store.videos.get(id).await?.ok_or_else(|| store::Error::Gone(id.clone()))?;
    let measured = match video.state {
        State::Ready => Some(measure(publisher, plan).await?),
        _ => None,
    };
    write(publisher, plan, measured.as_deref()).await
}

/// Returns what the encoded renditions turned out to be, and records their bit rates.
pub(crate) async fn measure(publisher: &Publisher, plan: &Plan) -> Result<Vec<Measured>> {
    let (store, id) = (&publisher.store, &publisher.video);
    let mut measured = Vec::new();
    for progress in store.renditions.of(id).await? {
        let rendition = progress.rendition;
        let rows = store.renditions.segments(id, &rendition.name).await?;
        let segments = rows
            .iter()
            .map(|row| serde_json::from_str(&row.facts))
            .collect::<serde_json::Result<Vec<SegmentFacts>>>()?;
        let codecs = rendition.codecs.filter(|_| segments.len() == rendition.segments_total as usize);
        let codecs = codecs.ok_or_else(|| Error::OffPlan {
            rendition: rendition.name.clone(),
            given: format!("{} published segments", segments.len()),
            planned: rendition.segments_total.to_string(),
        })?;
        let bitrate = average_bps(&segments, plan.grid.seconds(plan.grid.duration_ticks));
        store.renditions.set_bitrate(id, &rendition.name, bitrate).await?;
        measured.push(Measured { name: rendition.name, codecs, segments });
    }
    Ok(measured)
}
