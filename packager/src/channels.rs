//! The texts that broadcast captions are offered as: one for each channel that has words. Leaves reading them to
//! `broadcast`.

use crate::{
    Result,
    broadcast::{self, Carrier, Channel},
    encode::EncodeContext,
    plan::TextPlan,
    takes,
    tracks::Unique,
};

/// Returns the plan's texts; the one that stands for captions in the picture becomes one for each of their channels.
pub(crate) async fn texts(context: &EncodeContext<'_>) -> Result<Vec<TextPlan>> {
    let (mut names, mut labels) = (Unique::default(), Unique::default());
    let mut texts = Vec::new();
    for text in &context.plan.text {
        if text.inside.is_none() {
            names.claim(&text.name, '-');
            labels.claim(&text.label, ' ');
            texts.push(text.clone());
            continue;
        }
        let channels = channels(context, text).await?;
        for channel in &channels {
            let label = if channels.len() == 1 { text.label.clone() } else { channel.to_string() };
            texts.push(TextPlan {
                name: names.claim(&text.name, '-'),
                label: labels.claim(&label, ' '),
                channel: Some(channel.to_string()),
                ..text.clone()
            });
        }
    }
    Ok(texts)
}

/// Returns the channels of all files that a source was joined from.
async fn channels(context: &EncodeContext<'_>, text: &TextPlan) -> Result<Vec<Channel>> {
    let mut channels = Vec::new();
    for takes::TextTake { take, inside, .. } in takes::texts(context.plan, text, context.source) {
        let Some(codec) = inside.filter(|codec| broadcast::carries(codec)) else { continue };
        for channel in broadcast::channels(context, Carrier { take: &take, codec }).await? {
            if !channels.contains(&channel) {
                channels.push(channel);
            }
        }
    }
    Ok(channels)
}
