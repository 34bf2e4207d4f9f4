import{a as r}from"./chat-chunk-OAIIZZF3.js";import"./chat-chunk-UWKOPLHP.js";export{r as startEngine};
