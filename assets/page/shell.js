/* The shell of every page, whether Dash draws it or not: menu, workspaces, theme, keys, help. */

import { watchLeaving } from "./shell/away.js";
import { watchHelp } from "./shell/help.js";
import { watchMenu } from "./shell/menu.js";
import { watchNetwork } from "./shell/network.js";
import { watchShellKeys } from "./shell/shell_keys.js";
import { watchSwitch } from "./shell/switch.js";
import { watchTheme } from "./shell/theme.js";
import { watchToasts } from "./shell/toasts.js";

watchMenu();
watchSwitch();
watchTheme();
watchHelp();
watchShellKeys();
watchToasts();
watchNetwork();
watchLeaving();
