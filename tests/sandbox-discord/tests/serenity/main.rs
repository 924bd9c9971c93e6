//! A real serenity client against the sandbox. It drops events that do not fit
//! its model in silence, so each is awaited by name.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use harness::wait::{SOON, wait_for};
use sandbox_discord::{Channel, ChannelKind, Config, Guild, Role, Sandbox, Target, User, permissions};
use serenity::all::{
    ActionRowComponent, ChannelId, ClientBuilder, Command, CommandInteraction, CommandOptionType, Context,
    CreateActionRow, CreateAutocompleteResponse, CreateCommand, CreateCommandOption, CreateEmbed,
    CreateInputText, CreateInteractionResponse, CreateInteractionResponseMessage, CreateMessage, CreateModal,
    EditInteractionResponse, EditMessage, EventHandler, GatewayIntents, Guild as SerenityGuild, GuildId,
    Http, HttpBuilder, InputTextStyle, Interaction, Message, Ready, ResolvedValue, ResumedEvent,
    ShardManager, UserId, async_trait,
};

#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    async fn wait(&self, what: &str) {
        let seen = || async { self.0.lock().unwrap().iter().any(|seen| seen == what).then_some(()) };
        wait_for(&format!("{what} among {:?}", self.0), SOON, seen).await;
    }

    fn count(&self, what: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|seen| *seen == what).count()
    }
}

#[async_trait]
impl EventHandler for Seen {
    async fn ready(&self, _: Context, ready: Ready) {
        self.note(format!("READY {}", ready.user.name));
    }

    async fn resume(&self, _: Context, _: ResumedEvent) {
        self.note("RESUMED");
    }

    async fn guild_create(&self, _: Context, guild: SerenityGuild, _: Option<bool>) {
        let (channels, threads) = (guild.channels.len(), guild.threads.len());
        self.note(format!("GUILD_CREATE {} {channels} {threads} {}", guild.name, guild.roles.len()));
    }

    async fn message(&self, _: Context, message: Message) {
        self.note(format!("MESSAGE_CREATE {}", message.content));
    }

    async fn interaction_create(&self, context: Context, interaction: Interaction) {
        match interaction {
            Interaction::Command(command) => self.answer(&context, &command).await,
            Interaction::Autocomplete(command) => {
                let typed = command.data.autocomplete().unwrap().value.to_owned();
                self.note(format!("AUTOCOMPLETE {typed}"));
                let choices = CreateAutocompleteResponse::new().add_string_choice("frontend", "frontend");
                let response = CreateInteractionResponse::Autocomplete(choices);
                command.create_response(&context, response).await.unwrap();
            }
            Interaction::Modal(modal) => {
                let ActionRowComponent::InputText(input) = &modal.data.components[0].components[0] else {
                    return;
                };
                self.note(format!("MODAL {}", input.value.as_deref().unwrap_or_default()));
                modal.defer_ephemeral(&context).await.unwrap();
                let edit = EditInteractionResponse::new().content("stored");
                modal.edit_response(&context, edit).await.unwrap();
            }
            _ => {}
        }
    }
}

impl Seen {
    async fn answer(&self, context: &Context, command: &CommandInteraction) {
        let options = command.data.options();
        let response = match options.first().map(|option| &option.value) {
            Some(ResolvedValue::Channel(channel)) => {
                self.note(format!("INTERACTION_CREATE {}", channel.name.as_deref().unwrap_or_default()));
                let message = CreateInteractionResponseMessage::new().content("done").ephemeral(true);
                CreateInteractionResponse::Message(message)
            }
            _ => {
                let input = CreateInputText::new(InputTextStyle::Short, "Client secret", "secret");
                let modal =
                    CreateModal::new("modal", "Secret").components(vec![CreateActionRow::InputText(input)]);
                CreateInteractionResponse::Modal(modal)
            }
        };
        command.create_response(context, response).await.unwrap();
    }
}

struct Place {
    sandbox: Sandbox,
    olivia: u64,
    guild: u64,
    general: u64,
}

impl Place {
    async fn start() -> Self {
        let sandbox = Sandbox::start(Config::default().clocks(|clocks| {
            clocks.heartbeat = Duration::from_secs(1);
            clocks.identify_window = Duration::from_millis(1);
        }))
        .await;
        let olivia = sandbox.add_user(User::new("olivia"));
        let moderators = Role::new("Moderators", permissions::MANAGE_MESSAGES);
        let guild = sandbox.add_guild(Guild::new("Sandbox", olivia).role(moderators));
        let kinds =
            [ChannelKind::Announcement, ChannelKind::Forum, ChannelKind::Voice, ChannelKind::Category];
        for kind in kinds {
            sandbox.add_channel(guild, Channel::new(kind, "channel").deny(Target::Role(guild), 1));
        }
        let general = sandbox.add_channel(guild, Channel::text("general"));
        sandbox.add_channel(guild, Channel::thread(general, "thread"));
        Self { sandbox, olivia, guild, general }
    }

    fn http(&self) -> Http {
        let proxied = HttpBuilder::new(self.sandbox.token()).proxy(self.sandbox.url());
        proxied.ratelimiter_disabled(true).application_id(self.sandbox.bot().into()).build()
    }

    /// A client that runs until its shards are stopped.
    async fn client(&self) -> (Seen, Arc<ShardManager>) {
        let seen = Seen::default();
        let intents = GatewayIntents::non_privileged() | GatewayIntents::MESSAGE_CONTENT;
        let builder = ClientBuilder::new_with_http(self.http(), intents).event_handler(seen.clone());
        let mut client = builder.await.unwrap();
        let shards = Arc::clone(&client.shard_manager);
        tokio::spawn(async move { client.start().await });
        seen.wait("READY Sentry Bot").await;
        (seen, shards)
    }
}

#[tokio::test]
async fn every_event_fits_serenitys_model() {
    let place = Place::start().await;
    let (seen, shards) = place.client().await;
    seen.wait("GUILD_CREATE Sandbox 5 1 3").await;
    place.sandbox.say(place.olivia, place.general, &format!("hello <@{}>", place.olivia)).unwrap();
    seen.wait(&format!("MESSAGE_CREATE hello <@{}>", place.olivia)).await;
    shards.shutdown_all().await;
}

#[tokio::test]
async fn a_command_registered_by_serenity_is_used_and_answered() {
    let place = Place::start().await;
    let option = CreateCommandOption::new(CommandOptionType::Channel, "channel", "which").required(true);
    let command = CreateCommand::new("authorize").description("Authorizes").add_option(option);
    Command::set_global_commands(place.http(), vec![command]).await.unwrap();
    let (seen, shards) = place.client().await;
    let general = place.general.to_string();
    let used =
        place.sandbox.slash(place.olivia, place.general, "authorize", &[("channel", &general)]).unwrap();
    seen.wait("INTERACTION_CREATE general").await;
    assert_eq!(used.message(SOON).await.unwrap().content(), "done");
    shards.shutdown_all().await;
}

#[tokio::test]
async fn modals_and_completions_fit_serenitys_model() {
    let place = Place::start().await;
    let slug = CreateCommandOption::new(CommandOptionType::String, "slug", "which").set_autocomplete(true);
    let commands = [
        CreateCommand::new("secret").description("Asks"),
        CreateCommand::new("project").description("Completes").add_option(slug),
    ];
    Command::set_global_commands(place.http(), commands.into()).await.unwrap();
    let (seen, shards) = place.client().await;
    let (sandbox, olivia, general) = (&place.sandbox, place.olivia, place.general);
    let shown = sandbox.slash(olivia, general, "secret", &[]).unwrap();
    assert_eq!(shown.answer().await.unwrap().kind, 9);
    let submitted = sandbox.submit_modal(&shown, &[("secret", "s3cret")]).unwrap();
    seen.wait("MODAL s3cret").await;
    assert_eq!(submitted.message(SOON).await.unwrap().content(), "stored");
    let typing = sandbox.autocomplete(olivia, general, "project", &[("slug", "fro")], "slug").unwrap();
    seen.wait("AUTOCOMPLETE fro").await;
    assert_eq!(typing.answer().await.unwrap().data["choices"][0]["value"], "frontend");
    shards.shutdown_all().await;
}

#[tokio::test]
async fn a_client_comes_back_after_a_cut_and_after_an_invalid_session() {
    let place = Place::start().await;
    let (seen, shards) = place.client().await;
    place.sandbox.cut_gateway();
    seen.wait("RESUMED").await;
    place.sandbox.say(place.olivia, place.general, "after the cut").unwrap();
    seen.wait("MESSAGE_CREATE after the cut").await;
    place.sandbox.invalidate_sessions(false);
    wait_for("a new session", SOON, || async { (seen.count("READY Sentry Bot") == 2).then_some(()) }).await;
    shards.shutdown_all().await;
}

#[tokio::test]
async fn answers_of_the_rest_api_fit_serenitys_model() {
    let place = Place::start().await;
    let http = place.http();
    let channel = ChannelId::new(place.general);
    let guild = GuildId::new(place.guild);
    let posted =
        CreateMessage::new().content("hi").embed(CreateEmbed::new().title("t").field("n", "v", true));
    let mut message = channel.send_message(&http, posted).await.unwrap();
    message.edit(&http, EditMessage::new().content("edited")).await.unwrap();
    assert_eq!(message.content, "edited");
    assert_eq!(guild.channels(&http).await.unwrap().len(), 5);
    assert_eq!(guild.roles(&http).await.unwrap().len(), 3);
    assert_eq!(guild.to_partial_guild(&http).await.unwrap().owner_id.get(), place.olivia);
    assert_eq!(guild.member(&http, place.olivia).await.unwrap().user.name, "olivia");
    assert_eq!(UserId::new(place.olivia).to_user(&http).await.unwrap().name, "olivia");
    assert_eq!(guild.get_active_threads(&http).await.unwrap().threads.len(), 1);
    assert_eq!(channel.to_channel(&http).await.unwrap().guild().unwrap().name, "general");
    assert_eq!(http.get_current_application_info().await.unwrap().id.get(), place.sandbox.bot());
    assert_eq!(http.get_bot_gateway().await.unwrap().shards, 1);
    assert!(place.sandbox.unknown_requests().is_empty());
}
