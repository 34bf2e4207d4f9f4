// A small table of emoji by name. Any other emoji can be typed as it is.

const TABLE =
  "smile 😄 grin 😁 joy 😂 rofl 🤣 slight_smile 🙂 wink 😉 blush 😊 innocent 😇 heart_eyes 😍 kissing 😗 yum 😋 " +
  "tongue 😛 stuck_out_tongue_winking_eye 😜 sunglasses 😎 nerd 🤓 thinking 🤔 neutral 😐 expressionless 😑 smirk 😏 " +
  "unamused 😒 roll_eyes 🙄 grimace 😬 relieved 😌 pensive 😔 sleepy 😪 sleeping 😴 mask 😷 exploding_head 🤯 " +
  "partying 🥳 confused 😕 worried 😟 frown 🙁 open_mouth 😮 astonished 😲 flushed 😳 pleading 🥺 cry 😢 sob 😭 " +
  "scream 😱 sweat 😓 sweat_smile 😅 tired 😫 yawn 🥱 angry 😠 rage 😡 skull 💀 poop 💩 clown 🤡 ghost 👻 alien 👽 " +
  "robot 🤖 cat 🐱 dog 🐶 see_no_evil 🙈 hear_no_evil 🙉 speak_no_evil 🙊 heart ❤️ orange_heart 🧡 yellow_heart 💛 " +
  "green_heart 💚 blue_heart 💙 purple_heart 💜 broken_heart 💔 sparkling_heart 💖 100 💯 boom 💥 dizzy 💫 zzz 💤 " +
  "wave 👋 ok_hand 👌 v ✌️ crossed_fingers 🤞 point_left 👈 point_right 👉 point_up 👆 point_down 👇 +1 👍 -1 👎 " +
  "thumbsup 👍 thumbsdown 👎 fist ✊ clap 👏 raised_hands 🙌 open_hands 👐 handshake 🤝 pray 🙏 muscle 💪 eyes 👀 " +
  "brain 🧠 shrug 🤷 facepalm 🤦 run 🏃 dancer 💃 family 👪 bow 🙇 rose 🌹 sunflower 🌻 tree 🌳 seedling 🌱 " +
  "four_leaf_clover 🍀 fire 🔥 rainbow 🌈 sun ☀️ cloud ☁️ rain 🌧️ snow ❄️ zap ⚡ umbrella ☔ star ⭐ moon 🌙 earth 🌍 " +
  "apple 🍎 banana 🍌 bread 🍞 cheese 🧀 pizza 🍕 burger 🍔 sushi 🍣 cake 🍰 birthday 🎂 cookie 🍪 coffee ☕ tea 🍵 " +
  "beer 🍺 beers 🍻 wine 🍷 tada 🎉 balloon 🎈 gift 🎁 trophy 🏆 medal 🏅 soccer ⚽ dart 🎯 game 🎮 music 🎵 guitar 🎸 " +
  "art 🎨 movie 🎬 car 🚗 bike 🚲 train 🚆 plane ✈️ rocket 🚀 ship 🚢 house 🏠 office 🏢 watch ⌚ phone 📱 laptop 💻 " +
  "keyboard ⌨️ battery 🔋 bulb 💡 book 📖 books 📚 pencil ✏️ memo 📝 calendar 📅 chart 📈 pin 📌 paperclip 📎 scissors ✂️ " +
  "lock 🔒 unlock 🔓 key 🔑 hammer 🔨 wrench 🔧 gear ⚙️ link 🔗 bug 🐛 ant 🐜 bee 🐝 snail 🐌 bird 🐦 crow 🐦‍⬛ penguin 🐧 " +
  "fish 🐟 whale 🐳 crab 🦀 bell 🔔 mute 🔇 speaker 🔊 mega 📣 mail 📧 inbox 📥 package 📦 bomb 💣 gem 💎 money 💰 " +
  "hourglass ⏳ alarm ⏰ warning ⚠️ no_entry ⛔ check ✅ x ❌ question ❓ exclamation ❗ plus ➕ minus ➖ recycle ♻️ " +
  "white_check_mark ✅ heavy_check ✔️ arrow_right ➡️ arrow_left ⬅️ arrow_up ⬆️ arrow_down ⬇️ ok 🆗 new 🆕 sos 🆘 " +
  "red_circle 🔴 green_circle 🟢 blue_circle 🔵 flag 🚩 checkered_flag 🏁";

const words = TABLE.split(" ");

/** Emoji by name, without colons. */
export const EMOJI: ReadonlyMap<string, string> = new Map(
  words.flatMap((name, at) => (at % 2 === 0 ? [[name, words[at + 1]!] as const] : [])),
);

/** Those that are offered first as a reaction. */
export const REACTIONS = ["👍", "❤️", "😂", "🎉", "😮", "😢", "🙏", "👀"];
